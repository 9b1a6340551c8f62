// A node of your own that speaks through the robot: here, when the battery runs low.
#include <algorithm>
#include <chrono>
#include <kame_ros/msg/oracle_chunk.hpp>
#include <rclcpp/rclcpp.hpp>

using kame_ros::msg::OracleChunk;

int main(int argc, char ** argv)
{
  rclcpp::init(argc, argv);
  auto node = rclcpp::Node::make_shared("battery_watch", "robot");
  auto oracle = node->create_publisher<OracleChunk>("oracle", 50);
  auto is_heard = [&] {  // by the one that speaks: others listen, too
    const auto known = node->get_subscriptions_info_by_topic("oracle");
    const bool speaks = std::any_of(
      known.begin(), known.end(), [](const auto & one) { return one.node_name() == "s2s"; });
    return speaks && oracle->get_subscription_count() >= known.size();
  };
  while (rclcpp::ok() && !is_heard()) {
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
