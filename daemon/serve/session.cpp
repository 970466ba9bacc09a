#include "daemon/serve/session.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/write.hpp>
#include <utility>

#include "common/base/log.hpp"

namespace wtpool::serve {

Session::Session(SessionId id, Socket socket, Hooks hooks)
    : id_(id), socket_(std::move(socket)), hooks_(std::move(hooks)), partial_timer_(socket_.get_executor()) {}

void Session::start() { read(); }

void Session::close() {
  if (closed_) return;
  closed_ = true;
  asio::error_code ignored;
  partial_timer_.cancel();
  socket_.close(ignored);
  hooks_.closed(id_);
}

void Session::read() {
  socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](asio::error_code error, std::size_t count) {
    if (self->closed_) return;
    if (error == asio::error::eof) {
      self->end_of_input_ = true;
      self->watch_for_hang_up();
      self->maybe_finish();
      return;
    }
    if (error) return self->close();
    if (self->splitter_.feed({self->buffer_.data(), count}) == proto::FrameSplitter::State::too_long) {
      self->take_lines();
      self->answer(proto::WireId{}, proto::Error(proto::ErrorKind::invalid_request,
                                                 "a request is longer than " + std::to_string(proto::kMaxFrame) + " bytes"));
      self->finish_after_output();
      return;
    }
    self->take_lines();
    if (self->closed_ || self->finishing_) return;
    self->watch_partial();
    self->read();
  });
}

void Session::take_lines() {
  while (!closed_) {
    const auto line = splitter_.next();
    if (!line) return;
    take_line(*line);
  }
}

void Session::take_line(const std::string& line) {
  auto decoded = proto::decode_client_frame(line);
  if (auto* bad = std::get_if<proto::BadFrame>(&decoded)) {
    if (!std::holds_alternative<std::monostate>(bad->id)) ++in_flight_;  // its answer takes it off again
    return answer(bad->id, bad->error);
  }
  auto& frame = std::get<proto::ClientFrame>(decoded);
  if (const auto* cancel = std::get_if<proto::CancelFrame>(&frame)) return hooks_.cancel(*this, cancel->target);
  hooks_.request(*this, std::move(std::get<proto::RequestFrame>(frame)));
}

// EOF means "no more requests, still send me the answers"; only the hang-up means that the client is gone.
void Session::watch_for_hang_up() {
  socket_.async_wait(Socket::wait_error, [self = shared_from_this()](asio::error_code) { self->close(); });
}

void Session::watch_partial() {
  if (!splitter_.has_partial()) {
    if (std::exchange(partial_armed_, false)) partial_timer_.cancel();
    return;
  }
  if (std::exchange(partial_armed_, true)) return;
  partial_timer_.expires_after(std::chrono::seconds(proto::kFrameSeconds));
  partial_timer_.async_wait([self = shared_from_this()](asio::error_code error) {
    if (error || self->closed_ || !self->partial_armed_) return;
    log_info("closing a connection that left a request unfinished for " + std::to_string(proto::kFrameSeconds) + " s");
    self->close();
  });
}

bool Session::admit(const proto::WireId& id) {
  if (in_flight_ >= static_cast<std::size_t>(proto::kMaxInFlight)) {
    ++in_flight_;  // its answer takes it off again
    answer(id, proto::Error(proto::ErrorKind::queue_full,
                            "this connection has " + std::to_string(proto::kMaxInFlight) + " requests in flight already"));
    return false;
  }
  ++in_flight_;
  return true;
}

void Session::answer(const proto::WireId& to, const proto::Result& result) {
  if (in_flight_ > 0) --in_flight_;
  send(proto::encode_answer(to, result), false);
}

void Session::answer(const proto::WireId& to, const proto::Error& error) {
  if (in_flight_ > 0 && !std::holds_alternative<std::monostate>(to)) --in_flight_;
  send(proto::encode_answer(to, error), false);
}

void Session::notify(const proto::Notification& note) {
  if (dropped_ > 0 && std::holds_alternative<proto::EventNote>(note)) {
    auto event = std::get<proto::EventNote>(note);
    event.dropped = dropped_;
    send(proto::encode_notification(event), true);
    return;
  }
  send(proto::encode_notification(note), !std::holds_alternative<proto::CandidateNote>(note));  // who lands waits for that one
}

void Session::send(std::string line, bool may_drop) {
  if (closed_) return;
  line += '\n';
  if (output_bytes_ + line.size() > proto::kMaxOutput) {
    if (may_drop) {
      ++dropped_;
      return;
    }
    log_warn("closing a connection whose client reads no answers");
    // Not from within the caller's turn: whoever answers may still be walking over its sessions.
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->close(); });
    return;
  }
  if (may_drop) dropped_ = 0;
  output_bytes_ += line.size();
  output_.push_back(std::move(line));
  if (!writing_) write();
}

void Session::write() {
  writing_ = true;
  asio::async_write(socket_, asio::buffer(output_.front()), [self = shared_from_this()](asio::error_code error, std::size_t) {
    self->writing_ = false;
    if (self->closed_) return;
    if (error) return self->close();
    self->output_bytes_ -= self->output_.front().size();
    self->output_.pop_front();
    if (!self->output_.empty()) return self->write();
    if (self->finishing_) return self->close();
    self->maybe_finish();
  });
}

void Session::maybe_finish() {
  if (closed_ || !end_of_input_ || in_flight_ > 0 || !output_.empty() || subscribed || hooks_.has_stake(*this)) return;
  close();
}

void Session::finish_after_output() {
  finishing_ = true;
  if (output_.empty()) close();
}

}  // namespace wtpool::serve
