#include <cstdio>

#include "kame_ros/action/say.hpp"
#include "kame_ros/msg/audio_frame.hpp"
#include "kame_ros/msg/oracle_chunk.hpp"

int main() {
  kame_ros::msg::AudioFrame frame;
  frame.data.assign(1920, 7);
  kame_ros::msg::OracleChunk chunk;
  chunk.kind = kame_ros::msg::OracleChunk::TEXT;
  chunk.text = "My battery is low.";
  kame_ros::action::Say::Goal goal;
  goal.text = chunk.text;
  std::printf("%zu %d %s\n", frame.data.size(), chunk.kind, goal.text.c_str());
}
