// Nothing: it carries the precompiled header that the sanitizer builds share (cmake/WtpoolRoom.cmake).
