"""What runs without anybody calling: the chores that keep tables small."""
