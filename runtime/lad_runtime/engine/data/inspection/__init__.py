"""Reports what a training run would see of a data set."""
