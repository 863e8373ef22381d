"""The cloud on this machine: an emulator of AWS, Athena and Glue beside it, and the lake deployed to them."""
