"""What `tessera serve` says once it accepts connections: where it is, and how a newcomer tries it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

GRAPHQL_PATH: Final = "/graphql"
_FILE_NAME: Final = "demo.json"
# An address that means "all of this machine" is none that a client can name.
_REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """The credentials of the demo program, which only its first start knows in clear text."""

    publishable_key: str
    secret_key: str
    operator_email: str
    operator_password: str


def keep(access: DemoAccess, data_dir: Path) -> None:
    """Keep the credentials beside the data they open, readable by their owner alone, to show them at each start."""
    path = data_dir / _FILE_NAME
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(access), indent=2) + "\n")


def recall(data_dir: Path) -> DemoAccess | None:
    """The credentials that were kept, if they are there and whole."""
    try:
        return DemoAccess(**json.loads((data_dir / _FILE_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def base_url(host: str, port: int) -> str:
    """The address for a client on this machine."""
    reachable = _REACHABLE.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def text(address: str, stores: tuple[tuple[str, str], ...], demo: DemoAccess | None) -> str:
    """The whole banner; `stores` are pairs of a name and where it is, without passwords."""
    lines = [("GraphQL", address + GRAPHQL_PATH), *stores]
    if demo:
        lines += [
            ("Publishable key", demo.publishable_key),
            ("Secret key", demo.secret_key),
            ("Operator", f"{demo.operator_email}  {demo.operator_password}"),
        ]
    table = "\n".join(f"  {name:<16}{value}" for name, value in lines)
    attempt = f"\n\nTry it:\n\n  {curl(address, demo.secret_key)}" if demo else ""
    return f"\nTessera is ready.\n\n{table}{attempt}\n\nCtrl-C stops it.\n"


def curl(address: str, secret_key: str) -> str:
    """A command that works when pasted into a shell."""
    query = json.dumps({"query": "{ program { name } }"})
    headers = f"-H 'content-type: application/json' -H 'authorization: Bearer {secret_key}'"
    return f"curl -s {address}{GRAPHQL_PATH} {headers} -d '{query}'"
