"""`python -m st2solo`."""

from st2solo.cli import main

main()
