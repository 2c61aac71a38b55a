"""`make_tensorflow.py TO`: a small dense network of 30 inputs."""

import sys

import tensorflow as tf

layers = tf.keras.layers
network = tf.keras.Sequential([layers.Input((30,)), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")])
network.save(sys.argv[1])
