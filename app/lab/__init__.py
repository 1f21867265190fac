"""The counterfactual lab: change a picture and see what the network makes of it."""
