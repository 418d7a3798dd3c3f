"""The engine behind AWS's own interface: moto's server, with the part of Systems Manager that moto lacks."""
