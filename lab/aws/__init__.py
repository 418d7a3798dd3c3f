"""The engine behind AWS's own interface: moto's server, with the part of Systems Manager that moto lacks."""

import os

# moto reads these when it is imported, which only the modules of this package do: the managed policies of AWS are what
# nodes are judged by, and no page of another site is to read what the lab answers.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
