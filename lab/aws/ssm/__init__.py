"""Systems Manager's operations: what they take, and what the engine has to say to them in AWS's own form."""
