"""What is looked at now as one page that works without a server and without a network."""
