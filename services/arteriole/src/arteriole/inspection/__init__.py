"""`arteriole inspect`: what a run folder holds, told without a service and without writing."""
