# Writes stamps to a file of a volume, past every cache, until a write fails or it is ended; see stamps.rs.
# perl writer.pl FILE NODE OWN-REGION OTHER-REGION SLOTS
use strict;
use Fcntl;
use Time::HiRes qw(time sleep);
use constant { SECTOR => 512, O_DIRECT => 040000 };

my ($path, $node, $own, $other, $slots) = @ARGV;
sysopen my $file, $path, O_RDWR | O_DIRECT | O_DSYNC or die "$path: $!\n";

# Memory for direct I/O begins at a sector.
my $room = "\0" x ($slots * SECTOR + SECTOR);
my $start = -unpack('J', pack('P', $room)) % SECTOR;

sub get {
    my ($region, $slot, $count) = @_;
    sysseek $file, ($region * $slots + $slot % $slots) * SECTOR, 0;
    my $got = sysread $file, $room, $count * SECTOR, $start;
    defined $got && $got == $count * SECTOR or die "reading: $!\n";
    return map { substr $room, $start + $_ * SECTOR, SECTOR } 0 .. $count - 1;
}

# The session and the number of a stamp.
sub parsed { $_[0] =~ /^IMS-STAMP \S+ (\d+) (\d+) / ? ($1, $2) : (0, 0) }

# The last stamp of a region, all of which is read.
sub last_of {
    my @last = (0, 0);
    for my $sector (get($_[0], 0, $slots)) {
        my @stamp = parsed($sector);
        @last = @stamp if $stamp[1] > $last[1];
    }
    return @last;
}

my $session = int(time * 1e6) . $$;
my (undef, $number) = last_of($own);
my @saw = last_of($other);
$| = 1;
for (;;) {
    # Whatever the other has written since.
    for (;;) {
        my @next = parsed(get($other, $saw[1] + 1, 1));
        last if $next[1] <= $saw[1];
        @saw = @next;
    }
    $number++;
    my $stamp = pack 'a512', sprintf "IMS-STAMP %s %s %d %.6f %s %d \n", $node, $session, $number, time, @saw;
    sysseek $file, ($own * $slots + $number % $slots) * SECTOR, 0;
    substr $room, $start, SECTOR, $stamp;
    my $put = syswrite $file, $room, SECTOR, $start;
    defined $put && $put == SECTOR or die "stopped at $number: $!\n";
    print "$number\n";
    sleep 0.005;
}
