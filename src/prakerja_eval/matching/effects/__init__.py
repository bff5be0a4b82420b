"""What did treatment do? Effects after matching or weighting, and how uncertain they are."""
