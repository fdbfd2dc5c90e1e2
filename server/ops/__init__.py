"""Operations: logs, metrics, probes."""
