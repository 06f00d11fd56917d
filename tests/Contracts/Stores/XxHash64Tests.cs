using System.Text;
using LServe.Sessions;

namespace LServe.Tests.Contracts;

public class XxHash64Tests
{
    /// <summary>Published values: xxhsum's and python-xxhash's documentation.</summary>
    [Theory]
    [InlineData("", 0, 0xEF46DB3751D8E999)]
    [InlineData("a", 0, 0xD24EC4F1A98C6E5B)]
    [InlineData("abc", 0, 0x44BC2CF5AD770999)]
    [InlineData("xxhash", 20141025, 0xB559B98D844E0635)]
    [InlineData("Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1)]
    public void ItGivesThePublishedValues(string text, ulong seed, ulong expected) => Assert.Equal(expected, XxHash64.Hash(Encoding.UTF8.GetBytes(text), seed));

    [Fact]
    public void EveryBitAndEveryLengthCounts()
    {
        var data = new byte[100];
        new Random(1).NextBytes(data);
        var seen = new HashSet<ulong>();
        for (var length = 0; length <= data.Length; length++) seen.Add(XxHash64.Hash(data.AsSpan(0, length)));
        for (var bit = 0; bit < 8 * data.Length; bit++)
        {
            data[bit / 8] ^= (byte)(1 << bit % 8);
            seen.Add(XxHash64.Hash(data));
            data[bit / 8] ^= (byte)(1 << bit % 8);
        }

        Assert.Equal(data.Length + 1 + 8 * data.Length, seen.Count);
    }
}
