"""What a program promises its members, in plain Chinese and plain English, told from the data that is computed with."""
