"""What a user starts: the command line, predictions and the HTML report."""
