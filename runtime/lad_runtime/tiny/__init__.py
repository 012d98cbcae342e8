"""The embedded base: a small causal Llama, the data that it is trained on, and the scripts that make both."""
