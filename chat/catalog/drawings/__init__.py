"""Line drawings of products, made from their sizes and colours. Pure: no file is touched."""
