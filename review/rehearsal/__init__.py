"""What a policy would do to a fleet in the weeks to come: run on the lab's engine, on a clock that does not wait.

The patches are made up, at rates that `arrivals` names; what becomes of them is decided by the same rules that the lab
and the policy have.
"""
