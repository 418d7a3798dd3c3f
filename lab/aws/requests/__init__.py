"""Requests on their way: what they ask for, who may ask, what goes wrong with them, and what is noted of them."""
