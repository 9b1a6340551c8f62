"""A node of your own that speaks through the robot: here, when the battery runs low."""

import rclpy

from kame_ros.msg import OracleChunk

rclpy.init()
node = rclpy.create_node('battery_watch', namespace='robot')
oracle = node.create_publisher(OracleChunk, 'oracle', 50)


def is_heard():
    """Whether the one that speaks hears this node: others listen, too."""
    known = node.get_subscriptions_info_by_topic('oracle')
    speaks = any(one.node_name == 's2s' for one in known)
    return speaks and oracle.get_subscription_count() >= len(known)


while not is_heard():
    rclpy.spin_once(node, timeout_sec=0.1)
for kind, text in (
    (OracleChunk.BEGIN, ''),
    (OracleChunk.TEXT, 'My battery is low. I am going home.'),
    (OracleChunk.END, ''),
):
    oracle.publish(OracleChunk(source='battery', priority=20, kind=kind, text=text))
oracle.wait_for_all_acked(rclpy.duration.Duration(seconds=5))
