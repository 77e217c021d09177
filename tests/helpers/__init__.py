# SPDX-License-Identifier: MIT
"""What the tests share: small kernels, repositories, mails, random inputs."""
