"""CloudFormation: the types that patching needs, changes of stacks, and templates that are none."""
