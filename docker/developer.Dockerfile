# NEVER BUILT where it was written (there was no Docker): expect to mend something, and tell us.
# For developers: the robot's image with what tests need; the source is mounted over the copy.
#   docker build -f docker/developer.Dockerfile -t kame_ros:developer .   (after docker/robot.Dockerfile)
FROM kame_ros:robot

RUN apt-get update \
 && cd /ws/src/kame_ros/requirements \
 && cat apt-test.txt apt-train.txt | grep -v '^#' | xargs apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
RUN cd /ws/src/kame_ros/requirements \
 && /ws/.venv/bin/pip install --no-cache-dir -c lock/python3.12.txt -r test.txt

WORKDIR /ws
CMD ["bash"]
