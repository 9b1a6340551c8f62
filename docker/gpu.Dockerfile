# NEVER BUILT where it was written (there was no Docker): expect to mend something, and tell us.
# A machine with an NVIDIA GPU: the robot's image, torch for CUDA and the moshi front-end. For
# arm64 servers; a Jetson needs NVIDIA's own torch instead.
#   docker build -f docker/gpu.Dockerfile -t kame_ros:gpu .     (after docker/robot.Dockerfile)
FROM kame_ros:robot

# torch brings CUDA's libraries; the driver is the host's (NVIDIA Container Toolkit).
RUN cd /ws/src/kame_ros/requirements \
 && /ws/.venv/bin/pip install --no-cache-dir -c lock/python3.12.txt \
      -r torch.txt -r moshi-deps.txt -r train.txt \
 && /ws/.venv/bin/pip install --no-cache-dir --no-deps -r moshi.txt

ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
CMD ["ros2", "launch", "kame_ros", "kame.launch.py", "config:=kame"]
