"""What can be wrong about notifications: nothing yet, as long as nobody asks for one by its id."""
