// A node of your own that speaks through the robot: here, when the battery runs low.
#include <chrono>
#include <kame_ros/msg/oracle_chunk.hpp>
#include <rclcpp/rclcpp.hpp>

using kame_ros::msg::OracleChunk;

int main(int argc, char ** argv)
{
  rclcpp::init(argc, argv);
  auto node = rclcpp::Node::make_shared("battery_watch", "robot");
  auto oracle = node->create_publisher<OracleChunk>("oracle", 50);
  while (rclcpp::ok() && !oracle->get_subscription_count()) {
    rclcpp::sleep_for(std::chrono::milliseconds(100));
  }
  OracleChunk chunk;
  chunk.source = "battery";
  chunk.priority = 20;  // the LLM has 0
  for (auto kind : {OracleChunk::BEGIN, OracleChunk::TEXT, OracleChunk::END}) {
    chunk.kind = kind;
    chunk.text = kind == OracleChunk::TEXT ? "My battery is low. I am going home." : "";
    oracle->publish(chunk);
  }
  oracle->wait_for_all_acked(std::chrono::seconds(5));
  rclcpp::shutdown();
}
