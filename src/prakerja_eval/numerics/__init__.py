"""Which array kernels does every wing share: arrays in, small frozen results with influence out."""
