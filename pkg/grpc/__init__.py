"""What every gRPC server of ours does around a call."""
