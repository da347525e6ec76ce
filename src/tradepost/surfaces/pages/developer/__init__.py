"""Pages for whoever writes programs that call: what they asked and what they were answered."""
