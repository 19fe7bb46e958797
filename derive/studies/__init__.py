"""Studies: what surrounds a network's gradients, worked by itself: optimizers, averages, schedules, batches."""
