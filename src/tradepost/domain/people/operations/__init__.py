"""What people do about their accounts, and what is done about people."""
