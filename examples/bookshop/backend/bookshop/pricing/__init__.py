"""What a book costs today."""
