"""What Systems Manager keeps of commands, associations, windows and documents, and the events that tell of them."""
