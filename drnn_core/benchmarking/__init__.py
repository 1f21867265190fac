"""Wall-clock ratios beside ratios of multiply-adds, measured in turns on one machine."""
