"""What becomes of a version after its promotion: whether the rows that come are like those it learnt from."""
