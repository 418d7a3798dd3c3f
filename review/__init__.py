"""What a reviewer reads: a page that is made from a synthesized cloud assembly alone."""
