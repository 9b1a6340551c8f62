import pytest
from std_msgs.msg import String

from kame_ros.bag.definitions import NoDefinition
from kame_ros.nodes.common.raw_topics import is_of_an_action, message_type


@pytest.mark.parametrize(
    'name', ['no_such_msgs/msg/A', 'os/msg/A', 'std_msgs/srv/A', 'json/msg/../A', '', 'std_msgs']
)
def test_nothing_is_imported_that_is_no_package_of_messages(name):
    with pytest.raises(NoDefinition):
        message_type(name)


def test_a_type_is_found_by_its_name():
    assert message_type('std_msgs/msg/String') is String


def test_the_feedback_of_an_action_is_told_from_a_message():
    assert is_of_an_action('kame_ros/action/Say_FeedbackMessage')
    assert not is_of_an_action('std_msgs/msg/String')
    assert not is_of_an_action('nonsense')
