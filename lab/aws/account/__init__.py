"""The account of each Region behind an engine: its instances, networks, roles and objects, as moto keeps them."""
