#!/bin/bash
# Runs a command with ROS, the workspace and its Python.
set -e
. /opt/ros/jazzy/setup.bash
. /ws/install/setup.bash
. /ws/.venv/bin/activate
exec "$@"
