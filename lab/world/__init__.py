"""What is around patching in the local AWS: its clock, networks, what is stored, and who is told of what."""
