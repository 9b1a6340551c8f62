"""OpenAI's Realtime protocol, as a robot speaks it: events in, events out. No sockets, no ROS."""
