"""Where data may go, in what form, how long it is kept: rules that a site writes in policy.yaml."""
