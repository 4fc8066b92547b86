"""The operator's commands on runs; they speak to the services over HTTP."""
