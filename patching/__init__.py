"""What patching on AWS is: every rule of the domain, once, in plain Python."""
