"""The desk: what the staff see of conversations in the admin, and what they do to them."""
