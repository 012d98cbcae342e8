"""Schedules and stores: who is computed next, what is resident, what became of every run. No torch, no protobuf."""
